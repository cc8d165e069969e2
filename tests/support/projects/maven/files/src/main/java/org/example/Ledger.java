package org.example;

/** Keeps books. */
public class Ledger {
    public int sum(int[] amounts) {
        int sum = 0;
        for (int amount : amounts) {
            sum += amount;
        }
        return sum
    }
}
