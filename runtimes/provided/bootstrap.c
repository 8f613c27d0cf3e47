/*
 * Entry point of OS-only runtimes: becomes the first executable of /var/task/bootstrap and /opt/bootstrap.
 *
 * A program and not a script: a shell would run a binary of another architecture, or a text without #!, as a shell script, and fill the
 * function's log with its complaints. AWS refuses both as Runtime.InvalidEntrypoint.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The host knows this status (NO_BOOTSTRAP_EXIT_CODE) and answers Runtime.InvalidEntrypoint. */
#define NO_BOOTSTRAP 142

static const char *const places[] = {"/var/task/bootstrap", "/opt/bootstrap"};

int main(void) {
  for (unsigned i = 0; i < sizeof places / sizeof *places; i++) {
    struct stat found;
    /* A file without the x bit counts as absent, as on AWS. */
    if (stat(places[i], &found) != 0 || !S_ISREG(found.st_mode) || access(places[i], X_OK) != 0) continue;
    execv(places[i], (char *const[]){(char *)places[i], NULL});
    /* There, executable, and yet no program: wrong architecture (ENOEXEC) or an interpreter that is missing (ENOENT). */
    fprintf(stderr, "fork/exec %s: %s\n", places[i], errno == ENOEXEC ? "exec format error" : strerror(errno));
    return NO_BOOTSTRAP;
  }
  return NO_BOOTSTRAP;
}
