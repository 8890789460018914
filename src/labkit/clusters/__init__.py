"""Clusters for `lab run`: Galera, Redis failover, and several servers behind a load balancer."""
