"""HTTP and cookies without Django: a browser's cookie jar, headers, a small client."""
