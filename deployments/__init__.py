"""How work is set going: the command line, the embedded servers, the deployments."""
