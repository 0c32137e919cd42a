"""The job of ./dev bench as a Celery task, on a Redis that syncs every command."""
import os
import subprocess

from celery import Celery

redis = os.environ["BENCH_REDIS"]
app = Celery("celery_tasks", broker="redis+socket://" + redis, backend="redis+socket://" + redis)
app.conf.broker_connection_retry_on_startup = True


@app.task
def run(argv):
    return subprocess.run(argv).returncode
