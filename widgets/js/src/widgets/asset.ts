import { AssetView } from "../asset";
import { widget } from "../widget";

export default widget((context) => new AssetView(context));
