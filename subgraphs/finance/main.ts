import { serve } from '../serve'
import finance from './index'

serve(finance)
