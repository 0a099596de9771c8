"""From a chapter's text to the trees of its printed equations."""
