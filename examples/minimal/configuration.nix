# The smallest machine: systemd and what it needs.
{ }
