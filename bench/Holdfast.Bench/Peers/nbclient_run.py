"""nbclient_run.py NOTEBOOK: runs a notebook in place with nbclient, and prints the milliseconds that its cells took."""
import sys
import time

import nbformat
from nbclient import NotebookClient

path = sys.argv[1]
notebook = nbformat.read(path, as_version=4)
client = NotebookClient(notebook, timeout=120, kernel_name=notebook.metadata.kernelspec.name)
with client.setup_kernel():
    start = time.perf_counter()
    for index, cell in enumerate(notebook.cells):
        client.execute_cell(cell, index)
    elapsed = time.perf_counter() - start
nbformat.write(notebook, path)
print(elapsed * 1000)
