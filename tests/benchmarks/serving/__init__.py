"""`make bench`: the service beside a reference, under load, over real sockets."""
