export default { optimizeDeps: { exclude: ["xmpp-pam"] } };
