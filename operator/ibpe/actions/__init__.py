"""Which actions the services behind the endpoints have, and on what resources. Facts of AWS; knows no policy."""
