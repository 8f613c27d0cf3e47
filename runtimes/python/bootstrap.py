"""Starts the runtime interface client with AWS's search path: the function, its layers, then what the runtime brings."""

import os
import site
import sys

# Imported while only the runtime's own folder is searched: a function that ships a module of the same name must not replace the client's.
from awslambdaric.__main__ import main


def search_path(task_root):
    version = "python{}.{}".format(sys.version_info.major, sys.version_info.minor)
    first = [task_root, "/opt/python/lib/{}/site-packages".format(version), "/opt/python"]

    # sys.path[0] is this file's folder; PYTHONPATH, which the function may set, comes right after it.
    runtime_dir = sys.path[0]
    rest = [entry for entry in sys.path[1:] if entry not in first]
    if runtime_dir not in rest:
        rest.append(runtime_dir)
    sys.path[:] = first + rest
    for directory in first:
        # Reads the .pth files of packages; the folder itself is on the path already.
        site.addsitedir(directory)


if __name__ == "__main__":
    search_path(os.environ["LAMBDA_TASK_ROOT"])
    main(["/var/runtime/bootstrap.py", os.environ["_HANDLER"]])
