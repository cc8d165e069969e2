const { MongoClient } = require("mongodb");

<<<<<<< HEAD
module.exports = new MongoClient("mongodb://localhost");
=======
module.exports = new MongoClient("mongodb://127.0.0.1");
>>>>>>> other
