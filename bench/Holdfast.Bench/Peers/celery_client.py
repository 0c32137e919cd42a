"""celery_client.py COUNT: submits COUNT jobs, waits for every result, and prints the seconds this took."""
import sys
import time

from celery_tasks import run

count = int(sys.argv[1])
run.delay(["true"]).get(timeout=60)  # The connections are there.
start = time.perf_counter()
results = [run.delay(["true"]) for _ in range(count)]
codes = [result.get(timeout=120) for result in results]
elapsed = time.perf_counter() - start
if any(codes):
    sys.exit("a job failed")
print(elapsed)
