"""Commands in processes that are forked from one which has imported the library already, so that each starts at once.

`python forks.py` reads a JSON object a line, {"args": [...], "output": FILE, "largest_file": BYTES or null}, and answers
with two: {"pid": ...} at once, and {"code": ..., "megabytes": ...} when the process has ended, by itself or by a signal.
"""

import json
import os
import resource
import signal
import sys
import traceback

import torch

from era_s12 import analysis, export, report, runs  # noqa: F401
from era_s12.cli import main

torch.set_num_threads(1)  # no threads, which a fork would not take along


def run(args, output, largest_file):
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, 1)
    os.dup2(file, 2)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if largest_file is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
    code = 70
    try:
        main(args)
        code = 0
    except SystemExit as stop:
        code = stop.code or 0
    except BaseException:  # noqa: BLE001 (a fork must not go on as its parent)
        traceback.print_exc()
    sys.stdout.flush()
    os._exit(code)


for line in sys.stdin:
    task = json.loads(line)
    pid = os.fork()
    if not pid:
        run(**task)
    print(json.dumps({"pid": pid}), flush=True)
    _, status, usage = os.wait4(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    print(json.dumps({"code": code, "megabytes": usage.ru_maxrss / 1024}), flush=True)
