"""What people read in a browser, put together when the server starts. Must not know the API's routes."""
