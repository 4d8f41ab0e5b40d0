export const DEMO_WALLET_ID = "org.teetee.demo";
