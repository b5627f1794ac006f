"""How the work is ordered: Prefect and the `threeply` command live here and nowhere else."""
