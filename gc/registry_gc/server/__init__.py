"""HTTP: the transport and its pace, and every address of the server. Imports errors only."""
