export interface Price {
  cents: number;
}

export const total = (prices: Price[]): number => prices.reduce((sum, price) => sum + price.cents, 0);
