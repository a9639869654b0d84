#![no_main]

samestory_fuzz::target!(csv);
