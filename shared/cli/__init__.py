"""The `lambent` command: a client of the HTTP API and the switch of the local cloud. No other room imports it."""
