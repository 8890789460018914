"""What every lab's pages share: the stylesheet, the lab's title, and error pages in plain words."""
