/** Example resources that cannot start. */
console.log('the examples have no data');
process.exit(4);
