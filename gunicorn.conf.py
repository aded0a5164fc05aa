"""How gunicorn serves BOT GPT. Each number has its reason; docs/configuration.md has the variables."""

import gc
import os
import shutil
import signal
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"

# A turn waits for the model most of its time, so threads carry the waiting and two processes use two cores. gunicorn's
# gthread, which shares connections out evenly.
worker_class = "botgpt.operations.gunicorn_worker.EvenWorker"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = int(os.environ.get("WEB_THREADS", "128"))
preload_app = True  # one import for all workers, and their memory shared
keepalive = 75  # longer than a load balancer's idle timeout of 60 s, so that it never meets a closed connection

# A stopping worker lets its turns end: the turn's deadline and what closing it may take.
graceful_timeout = int(float(os.environ.get("LLM_TURN_SECONDS", "60"))) + 20

# What leaks, leaks slowly: a worker is replaced after so many requests, and not all at once. It takes no new ones while
# its last turns end, and its successor starts after that, so this is rare on purpose.
max_requests = int(os.environ.get("WEB_MAX_REQUESTS", "50000"))
max_requests_jitter = max_requests // 2

accesslog = None  # the application logs a line for each request, with its id
loglevel = os.environ.get("GUNICORN_LOG_LEVEL", "warning")
limit_request_line = 8190  # the most there is: a dry run's question stands in the address
control_socket_disable = True

# The processes share their metrics through files in a folder of this master alone. It is set before the application
# is imported, kept over a reload (which runs this file again), and not inherited by a new master in an upgrade.
_prefix = f"botgpt-metrics-{os.getpid()}-"
if not Path(os.environ.get("PROMETHEUS_MULTIPROC_DIR", "")).name.startswith(_prefix):
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix=_prefix)


# Until a worker has handlers of its own it has its master's, which only note a signal in a list that nobody reads: the
# worker would work on, and the master wait for its end. So signals wait from before the fork until then.
STOPPING = {signal.SIGINT, signal.SIGQUIT, signal.SIGTERM}


def hear_signals() -> None:
    """Let those through that have waited, too."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)


os.register_at_fork(after_in_parent=hear_signals)


def pre_exec(server: Any) -> None:
    """Start the new master of an upgrade as the old one was.

    gunicorn would run `python -m gunicorn` as a script, whose folder then hides the standard library's `http`.
    """
    executable, script, *arguments = server.START_CTX["args"]
    if script.endswith("__main__.py"):
        server.START_CTX["args"] = [executable, "-m", "gunicorn", *arguments]


def pre_fork(_server: Any, _worker: Any) -> None:
    """Import what every turn needs, once for all workers, and keep it out of the collector's way: what is never walked
    is never written to, and so stays shared."""
    from django.conf import settings

    from llm.providers import registry

    registry.load()
    import_module(settings.ROOT_URLCONF)  # else the first request of each worker imports every view for itself
    gc.collect()
    gc.freeze()
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)


def child_exit(_server: Any, worker: Any) -> None:
    """Drop what a worker that ended had in flight; what it counted stays."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(worker.pid)


def on_exit(_server: Any) -> None:
    """Leave no folder behind."""
    shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)


def when_ready(server: Any) -> None:
    """Print where everything is, once connections are accepted; `manage.py serve` asks for it."""
    if os.environ.get("BOTGPT_BANNER"):
        from botgpt.operations.banner import print_banner

        host, port = server.address[0][:2]
        print_banner(f"http://{host}:{port}")


def post_worker_init(worker: Any) -> None:
    """Build the provider's client before the first request needs it: it costs 30 ms and an import.

    A terminal's Ctrl-C goes to the master and to the workers, and the master then tells the workers to quit: the second
    signal can arrive inside the first one's handler and lock it up. So workers leave Ctrl-C to the master.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    hear_signals()
    from django.conf import settings

    from llm.providers import registry

    worker.tpool.parallelism = max(1, settings.WEB_PARALLELISM)
    registry.warm()
