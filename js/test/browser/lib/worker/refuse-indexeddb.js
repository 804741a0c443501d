IDBFactory.prototype.open = () => {
  throw new DOMException("no storage for this page", "SecurityError");
};
