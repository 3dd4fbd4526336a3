// Styles are imported where they are needed, for the bundler alone.
declare module "*.css";
