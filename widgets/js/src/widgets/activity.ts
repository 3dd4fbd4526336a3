import { Activity } from "../activity";
import { widget } from "../widget";

export default widget((context) => new Activity(context));
