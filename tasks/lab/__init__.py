"""Methods side by side: the stages of lab/dvc.yaml."""
