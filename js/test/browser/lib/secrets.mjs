/** The password of all accounts of the browser tests, which may be seen nowhere. */
export const canary = "canary-8f1Kq-Zw6tP";
