#![no_main]

samestory_fuzz::target!(index_folder);
