"""The pages, served by Starlette."""
