"""The plan: the only place where parts meet. ``house`` is a server with a world, ``relay`` one without."""
