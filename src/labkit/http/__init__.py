"""HTTP and cookies without Django: a browser's cookie jar, headers and a small client."""
