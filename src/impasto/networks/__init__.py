"""Networks: modules from tensors to tensors; no loss, no optimizer, no file."""
