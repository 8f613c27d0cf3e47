/*
 * PID 1 of every sandbox: starts the function's runtime, says how it really ended, kills and restarts it on request.
 *
 *   supervisor [-C folder] [-u variable]… [--] [program [argument…]]   default: /var/runtime/bootstrap, in the folder of the container
 *   supervisor [-u variable]… -B program [program…]                    the first of these files that can be executed
 *
 * -u removes a variable that the engine sets by itself.
 *
 * Nothing of the function runs before the first `boot`: what closes its networks is set until then.
 *
 *   fd 0  commands of the host, one a line: boot | stop | mark <nonce> | usage
 *   fd 1  the function's output: stdout and stderr of every process of the function, and the markers
 *   fd 2  reports to the host, one a line:
 *           exit runtime code=<0-255> oom=<0|1>       exit runtime signal=<number> oom=<0|1>
 *           launch runtime errno=<NAME> path=<program>   launch folder errno=<NAME> path=<folder>   stopped   usage <kilobytes>
 *           launch bootstrap errno=ENOENT path=<program> <program>…   none of -B exists
 *
 * It runs as the same user as the function, which is hostile. So it is not dumpable (nobody opens /proc/1/fd, traces it or reads its
 * memory), processes of the function hold neither fd 0 nor fd 2, and signals sent from inside do not reach a PID 1 without handlers.
 * It blocks nowhere, so that no process of the function can keep it from doing what the host says. When fd 0 ends, the host is gone:
 * it exits, and the kernel kills the rest of the namespace. It stays small, so that the out-of-memory killer never chooses it.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Bytes kept for a reader that is slow; what does not fit is dropped whole. */
#define QUEUE_BYTES 8192
/* A line longer than this is no command of ours. */
#define COMMAND_BYTES 256
/* How often the rest is killed again until nothing is left, milliseconds. */
#define KILL_AGAIN_MS 10

struct queue {
  int fd;
  size_t length;
  char bytes[QUEUE_BYTES];
};

/* What happens to the processes of the function: IDLE -> (boot) RUNNING -> (it exits) DRAINING | (stop) STOPPING -> IDLE. */
static enum { IDLE, RUNNING, DRAINING, STOPPING } state = IDLE;
static struct queue markers, reports;
static char **program, **candidates, *folder;
static pid_t runtime;
static int runtime_status, launch_error_fd = -1, boot_wanted, oom_fd = -1, devnull;
static long oom_kills_at_boot, peak_kb;
static sigset_t original_mask;

/* One line at a time: a write of up to PIPE_BUF bytes is whole, so output of the function never comes between. */
static void drain(struct queue *queue) {
  while (queue->length > 0) {
    const char *end = memchr(queue->bytes, '\n', queue->length);
    ssize_t written = write(queue->fd, queue->bytes, end ? (size_t)(end - queue->bytes) + 1 : queue->length);
    if (written <= 0) {
      if (written < 0 && errno == EINTR) continue;
      if (written < 0 && errno != EAGAIN) queue->length = 0; /* the reader is gone; fd 0 tells the same */
      return;
    }
    queue->length -= (size_t)written;
    memmove(queue->bytes, queue->bytes + written, queue->length);
  }
}

static void put(struct queue *queue, const char *line, int length) {
  if (length <= 0 || (size_t)length > sizeof queue->bytes - queue->length) return;
  memcpy(queue->bytes + queue->length, line, (size_t)length);
  queue->length += (size_t)length;
  drain(queue);
}

static const char *errno_name(int number) {
  static char other[16];
  switch (number) {
    case E2BIG: return "E2BIG";
    case EACCES: return "EACCES";
    case EAGAIN: return "EAGAIN";
    case EINVAL: return "EINVAL";
    case EIO: return "EIO";
    case EISDIR: return "EISDIR";
    case ELIBBAD: return "ELIBBAD";
    case ELOOP: return "ELOOP";
    case EMFILE: return "EMFILE";
    case ENAMETOOLONG: return "ENAMETOOLONG";
    case ENFILE: return "ENFILE";
    case ENOENT: return "ENOENT";
    case ENOEXEC: return "ENOEXEC";
    case ENOMEM: return "ENOMEM";
    case ENOTDIR: return "ENOTDIR";
    case EPERM: return "EPERM";
    case ETXTBSY: return "ETXTBSY";
  }
  snprintf(other, sizeof other, "ERRNO%d", number);
  return other;
}

/* `number` is negative where not the program but its folder was the trouble. */
static void report_launch_failure(int number) {
  char line[1024];
  int length = number < 0 ? snprintf(line, sizeof line, "launch folder errno=%s path=%.900s\n", errno_name(-number), folder)
                          : snprintf(line, sizeof line, "launch runtime errno=%s path=%.900s\n", errno_name(number), program[0]);
  /* A name that somebody chose must not become a report of its own. */
  for (int index = 0; index < length - 1; index++)
    if (iscntrl((unsigned char)line[index])) line[index] = '?';
  put(&reports, line, length);
}

/* How often the out-of-memory killer struck in this sandbox so far; 0 where the kernel does not tell. */
static long oom_kills(void) {
  char text[1024];
  ssize_t length = oom_fd < 0 ? -1 : pread(oom_fd, text, sizeof text - 1, 0);
  if (length <= 0) return 0;
  text[length] = 0;
  const char *found = strncmp(text, "oom_kill ", 9) == 0 ? text : strstr(text, "\noom_kill ");
  return found ? strtol(found + (*found == '\n' ? 10 : 9), NULL, 10) : 0;
}

static int struck_by_oom_killer(void) {
  const struct timespec moment = {0, 2000000};
  /* A SIGKILL may be seen a moment before the counter that explains it. */
  int tries = WIFSIGNALED(runtime_status) && WTERMSIG(runtime_status) == SIGKILL ? 5 : 0;
  while (oom_kills() <= oom_kills_at_boot) {
    if (tries-- == 0) return 0;
    nanosleep(&moment, NULL);
  }
  return 1;
}

static void report_exit(void) {
  char line[128];
  int oom = struck_by_oom_killer(), length;
  if (WIFSIGNALED(runtime_status))
    length = snprintf(line, sizeof line, "exit runtime signal=%d oom=%d\n", WTERMSIG(runtime_status), oom);
  else
    length = snprintf(line, sizeof line, "exit runtime code=%d oom=%d\n", WEXITSTATUS(runtime_status), oom);
  put(&reports, line, length);
}

/* Peak of the resident memory: at each look the peaks of all that live, or the largest peak of one that ended. */
static void look_at_memory(void) {
  DIR *directory = opendir("/proc");
  long sum = 0;
  struct dirent *entry;
  while (directory && (entry = readdir(directory))) {
    char path[64], text[4096];
    if (!isdigit((unsigned char)entry->d_name[0]) || atol(entry->d_name) == 1) continue;
    snprintf(path, sizeof path, "/proc/%.20s/status", entry->d_name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0) close(fd);
    if (length <= 0) continue;
    text[length] = 0;
    const char *found = strstr(text, "\nVmHWM:");
    if (found) sum += strtol(found + 7, NULL, 10);
  }
  if (directory) closedir(directory);
  if (sum > peak_kb) peak_kb = sum;
}

/* In the child: becomes the program, or returns the errno that says why not. */
static int become(void) {
  char path[4096];
  const char *search = getenv("PATH"), *end;
  int problem = ENOENT;
  if (strchr(program[0], '/') || !search) {
    execv(program[0], program);
    return errno;
  }
  for (; problem == ENOENT || problem == EACCES; search = end + 1) {
    end = strchrnul(search, ':');
    snprintf(path, sizeof path, "%.*s/%s", (int)(end - search), search, program[0]);
    execv(path, program);
    if (errno != ENOENT && errno != ENOTDIR) problem = errno;
    if (!*end) break;
  }
  return problem;
}

/* The first candidate with an x bit, else the first that exists: the kernel says what is wrong with it. */
static int choose_program(void) {
  static char *chosen[2];
  char line[1024] = "launch bootstrap errno=ENOENT path=";
  chosen[0] = NULL;
  for (char **candidate = candidates; *candidate; candidate++) {
    struct stat found;
    size_t length = strlen(line);
    snprintf(line + length, sizeof line - length - 1, "%s%s", candidate == candidates ? "" : " ", *candidate);
    if (stat(*candidate, &found) != 0 || !S_ISREG(found.st_mode)) continue;
    int executable = access(*candidate, X_OK) == 0;
    if (executable || !chosen[0]) chosen[0] = *candidate;
    if (executable) break;
  }
  program = chosen;
  if (chosen[0]) return 1;
  strcat(line, "\n");
  put(&reports, line, (int)strlen(line));
  return 0;
}

static void boot(void) {
  int pipe_fds[2];
  boot_wanted = 0;
  if (candidates && !choose_program()) return;
  peak_kb = 0;
  oom_kills_at_boot = oom_kills();
  if (pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) < 0) return report_launch_failure(errno);
  runtime = fork();
  if (runtime < 0) {
    int problem = errno;
    close(pipe_fds[0]);
    close(pipe_fds[1]);
    return report_launch_failure(problem);
  }
  if (runtime == 0) {
    /* A description of its own for every boot: O_NONBLOCK, which some runtimes set on it, must not outlive them. */
    int output = open("/proc/self/fd/1", O_WRONLY | O_CLOEXEC);
    setsid();
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, &original_mask, NULL);
    /* Checked, because the function may have lowered our limits: it must never get fd 0 or fd 2 of the supervisor. */
    if (dup2(devnull, 0) < 0 || dup2(output < 0 ? 1 : output, 2) < 0 || (output >= 0 && dup2(output, 1) < 0)) _exit(127);
    int problem = folder && chdir(folder) < 0 ? -errno : become();
    (void)!write(pipe_fds[1], &problem, sizeof problem);
    _exit(127);
  }
  close(pipe_fds[1]);
  launch_error_fd = pipe_fds[0];
  state = RUNNING;
}

static void settled(void) {
  int stopping = state == STOPPING, problem = 0;
  state = IDLE;
  runtime = 0;
  ssize_t length = launch_error_fd < 0 ? 0 : read(launch_error_fd, &problem, sizeof problem);
  if (launch_error_fd >= 0) close(launch_error_fd);
  launch_error_fd = -1;
  if (stopping) put(&reports, "stopped\n", 8);
  else if (length == (ssize_t)sizeof problem) report_launch_failure(problem);
  else report_exit();
  if (boot_wanted) boot();
}

/* Collects everything that ended. Every process here is a descendant of this one: no children left means nothing is left. */
static void reap(void) {
  for (;;) {
    int status;
    struct rusage usage;
    pid_t pid = wait4(-1, &status, WNOHANG, &usage);
    if (pid < 0 && errno == EINTR) continue;
    if (pid < 0 && (state == DRAINING || state == STOPPING)) settled();
    if (pid <= 0) return;
    if (usage.ru_maxrss > peak_kb) peak_kb = usage.ru_maxrss;
    if (pid != runtime) continue;
    runtime = 0;
    runtime_status = status;
    if (state == RUNNING) state = DRAINING;
    if (state == DRAINING) kill(-1, SIGKILL);
  }
}

static void obey(char *line) {
  char text[COMMAND_BYTES + 32];
  if (strcmp(line, "boot") == 0) {
    if (state == IDLE) boot();
    else if (state != RUNNING) boot_wanted = 1;
  } else if (strcmp(line, "stop") == 0) {
    boot_wanted = 0;
    state = STOPPING;
    kill(-1, SIGKILL);
  } else if (strncmp(line, "mark ", 5) == 0) {
    put(&markers, text, snprintf(text, sizeof text, "\036hearth-mark %s\n", line + 5));
  } else if (strcmp(line, "usage") == 0) {
    look_at_memory();
    put(&reports, text, snprintf(text, sizeof text, "usage %ld\n", peak_kb));
  }
}

static void read_commands(void) {
  static char line[COMMAND_BYTES];
  static size_t length;
  char bytes[512];
  ssize_t count = read(0, bytes, sizeof bytes);
  if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) exit(0); /* the host is gone */
  for (ssize_t index = 0; index < count; index++) {
    if (bytes[index] != '\n') {
      if (length < sizeof line) line[length++] = bytes[index];
      continue;
    }
    if (length < sizeof line) {
      line[length] = 0;
      obey(line);
    }
    length = 0;
  }
}

int main(int argc, char **argv) {
  static char *default_program[] = {"/var/runtime/bootstrap", NULL};
  sigset_t child_signal;
  if (getpid() != 1) {
    /* It kills every process that it sees. */
    fputs("The supervisor only runs as process 1 of a container.\n", stderr);
    return 2;
  }
  prctl(PR_SET_DUMPABLE, 0);
  for (int fd = 3; fd < 1024; fd++) close(fd); /* whatever the engine left open is not the function's */
  for (; argc > 2 && (strcmp(argv[1], "-C") == 0 || strcmp(argv[1], "-u") == 0); argv += 2, argc -= 2) {
    if (argv[1][1] == 'C') folder = argv[2];
    else unsetenv(argv[2]);
  }
  if (argc > 2 && strcmp(argv[1], "-B") == 0) candidates = argv + 2;
  if (argc > 2 && strcmp(argv[1], "--") == 0) argv++, argc--;
  program = argc > 1 ? argv + 1 : default_program;
  signal(SIGPIPE, SIG_IGN);
  sigemptyset(&child_signal);
  sigaddset(&child_signal, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child_signal, &original_mask);
  int signals = signalfd(-1, &child_signal, SFD_CLOEXEC | SFD_NONBLOCK);
  devnull = open("/dev/null", O_RDWR | O_CLOEXEC);
  oom_fd = open("/sys/fs/cgroup/memory/memory.oom_control", O_RDONLY | O_CLOEXEC);
  if (oom_fd < 0) oom_fd = open("/sys/fs/cgroup/memory.events", O_RDONLY | O_CLOEXEC);
  fcntl(0, F_SETFL, fcntl(0, F_GETFL) | O_NONBLOCK);
  fcntl(2, F_SETFL, fcntl(2, F_GETFL) | O_NONBLOCK);
  reports.fd = 2;
  /* A second description of the output: O_NONBLOCK on the function's own would break its writes. */
  markers.fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  if (signals < 0 || devnull < 0 || markers.fd < 0) return 1;

  for (;;) {
    struct pollfd watched[4] = {
      {0, POLLIN, 0},
      {signals, POLLIN, 0},
      {reports.length > 0 ? 2 : -1, POLLOUT, 0},
      {markers.length > 0 ? markers.fd : -1, POLLOUT, 0},
    };
    struct signalfd_siginfo discarded;
    int killing = state == DRAINING || state == STOPPING;
    /* Fails when the function lowered our limits: better no sandbox than one that does not listen. */
    if (poll(watched, 4, killing ? KILL_AGAIN_MS : -1) < 0 && errno != EINTR) return 1;
    if (watched[0].revents) read_commands();
    while (read(signals, &discarded, sizeof discarded) > 0) continue;
    if (watched[2].revents) drain(&reports);
    if (watched[3].revents) drain(&markers);
    if (state == DRAINING || state == STOPPING) kill(-1, SIGKILL);
    reap();
  }
}
