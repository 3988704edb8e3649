"""What stands between the server and those who mean it ill; docs/security.md says which test is for what."""
