"""What the module refuses: each error has a code ``example_module.<what>`` and a title; the class says when it is raised."""
