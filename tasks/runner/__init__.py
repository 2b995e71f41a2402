"""The Dask task runner: the only room with Dask, and with the insides of Prefect."""
