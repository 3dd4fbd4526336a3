import { Table } from "../table";
import { widget } from "../widget";

export default widget((context) => new Table(context));
