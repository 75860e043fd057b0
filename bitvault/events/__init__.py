"""The event backbone: per tenant one dense, commit-ordered stream of facts, written with the change that makes them true."""
