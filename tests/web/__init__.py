"""Our API and the console over real sockets."""
