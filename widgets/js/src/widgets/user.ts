import { UserView } from "../user";
import { widget } from "../widget";

export default widget((context) => new UserView(context));
