export default { id: "home-footer" }
