"""What the explorer says of a layer and of a channel: a sentence, the numbers, and what to do next."""
