"""Parts of the bench that work with the site's own code, each a process with the environment of the bench's servers."""
