"""Clusters for `lab run`: Galera, Redis failover, and servers behind a load balancer."""
