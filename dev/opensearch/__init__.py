"""One OpenSearch node on loopback for development and tests, made of the jars in Maven Central. `README.md` tells more."""
