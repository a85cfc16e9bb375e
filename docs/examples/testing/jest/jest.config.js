export default {
  // Your sources are ES modules as they are: nothing is to be transformed.
  transform: {},
  testEnvironment: 'node',
};
