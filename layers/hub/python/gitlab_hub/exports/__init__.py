"""Files of what is stored, for analysts and auditors."""
