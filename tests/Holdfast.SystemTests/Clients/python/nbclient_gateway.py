"""nbclient_gateway.py NOTEBOOK: executes a notebook in place by nbclient, its kernel behind $JUPYTER_GATEWAY_URL, as papermill would with the same classes."""
import sys

import nbformat
from nbclient import NotebookClient

path = sys.argv[1]
notebook = nbformat.read(path, as_version=4)
NotebookClient(notebook, timeout=60, kernel_name="python3", kernel_manager_class="jupyter_server.gateway.managers.GatewayKernelManager").execute()
nbformat.write(notebook, path)
