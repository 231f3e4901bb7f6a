"""How the built-in zoo is made: items, tokenizer, training and acceptance."""
