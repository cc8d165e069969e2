package org.example;

class LedgerTest {
    void sums() {}
}
